// SPDX-License-Identifier: Apache-2.0

// What an object runs at the start of a program that does nothing but include
// this: static_initialisers_test.py compares others with it.
#include <iostream>
