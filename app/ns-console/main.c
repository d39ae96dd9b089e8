/* SPDX-License-Identifier: BSD-3-Clause */
#include "console.h"

int main(int argc, char **argv)
{
	return console_main(argc, argv);
}
