/* SPDX-License-Identifier: BSD-3-Clause */
#include "reader_fuzz.h"

/* pcapng: the input always begins as a section header of either byte order. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t little[16] = {
		0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0};
	static const uint8_t big[16] = {
		0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0};
	bool section;

	if (size < 28)
		return -1;
	section = memcmp(data, little, 4) == 0 || data[0] == 0x1f || data[0] == 0x28;
	fuzz_both(data, size, size % 3 == 0 ? big : little, section ? 0 : 16);
	return 0;
}
