// SPDX-License-Identifier: Apache-2.0

import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.core.UnsafeMemory;

/** A checksum of values in their order, as bench/peers/value_checksum.h computes it. */
final class Checksum {
    private static final long FACTOR = 0x9e3779b97f4a7c15L;

    private long sum;
    private long count;

    void add(long address, int size) {
        sum = sum * FACTOR + sumOf(address, size);
        ++count;
    }

    void add(BytesStore<?, ?> value) {
        add(value.addressForRead(0), (int) value.capacity());
    }

    long sum() {
        return sum;
    }

    long count() {
        return count;
    }

    boolean matches(Checksum other) {
        return sum == other.sum && count == other.count;
    }

    private static long sumOf(long address, int size) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        long end = address + size;
        long at = address;
        for (; at + 32 <= end; at += 32) {
            a += UnsafeMemory.unsafeGetLong(at);
            b += UnsafeMemory.unsafeGetLong(at + 8);
            c += UnsafeMemory.unsafeGetLong(at + 16);
            d += UnsafeMemory.unsafeGetLong(at + 24);
        }
        long total = a + b + c + d;
        for (; at + 8 <= end; at += 8) {
            total += UnsafeMemory.unsafeGetLong(at);
        }
        for (int shift = 0; at < end; ++at, shift += 8) {
            total += (UnsafeMemory.unsafeGetByte(at) & 0xffL) << shift;
        }
        return total;
    }
}
