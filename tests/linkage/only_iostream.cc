// SPDX-License-Identifier: Apache-2.0

// The initialisers of an object that does nothing but include this:
// static_initialisers_test.py compares others with it.
#include <iostream>
