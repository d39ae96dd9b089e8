/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"
#include "ns_test_eal.h"

NS_TEST_MAIN({"eal", ns_test_eal})
