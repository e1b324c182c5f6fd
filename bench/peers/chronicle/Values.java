// SPDX-License-Identifier: Apache-2.0

import net.openhft.chronicle.bytes.BytesStore;

/** The values that every peer is given, as bench/peers/peer_values.h makes them. */
final class Values {
    private static final int DISTINCT = 1021;

    private final BytesStore<?, ?>[] values = new BytesStore<?, ?>[DISTINCT];

    Values(int size) {
        byte[] bytes = new byte[size * DISTINCT + Long.BYTES];
        for (int at = 0; at < size * DISTINCT; at += Long.BYTES) {
            long word = scrambled(at);
            for (int i = 0; i < Long.BYTES; i++) {
                bytes[at + i] = (byte) (word >>> (8 * i));
            }
        }
        for (int i = 0; i < DISTINCT; i++) {
            BytesStore<?, ?> value = BytesStore.nativeStoreWithFixedCapacity(size);
            value.write(0, bytes, i * size, size);
            values[i] = value;
        }
    }

    BytesStore<?, ?> at(long index) {
        return values[(int) (index % DISTINCT)];
    }

    /** The n-th number of a sequence that looks random (SplitMix64). */
    static long scrambled(long n) {
        n *= 0x9e3779b97f4a7c15L;
        n = (n ^ (n >>> 30)) * 0xbf58476d1ce4e5b9L;
        n = (n ^ (n >>> 27)) * 0x94d049bb133111ebL;
        return n ^ (n >>> 31);
    }

    /** Where the n-th point read goes. */
    static long randomIndex(long n, long count) {
        return ((scrambled(n) >>> 32) * count) >>> 32;
    }
}
