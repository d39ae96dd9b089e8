/* SPDX-License-Identifier: BSD-3-Clause */
#include "reader_fuzz.h"

/* pcap of all variants: the last octet's place in the input chooses the magic when it has none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t magics[][4] = {{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4},
		{0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}, {0x34, 0xcd, 0xb2, 0xa1},
		{0xa1, 0xb2, 0xcd, 0x34}};
	size_t i;

	if (size < 4)
		return -1;
	for (i = 0; i < NS_ARRAY_LEN(magics); i++)
		if (memcmp(data, magics[i], 4) == 0)
			break;
	fuzz_both(data, size, magics[i % NS_ARRAY_LEN(magics)],
		i == NS_ARRAY_LEN(magics) && data[0] != 0x1f && data[0] != 0x28 ? 4 : 0);
	return 0;
}
