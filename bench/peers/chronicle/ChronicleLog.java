// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.core.io.IOTools;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.SparseRollCycles;
import net.openhft.chronicle.wire.DocumentContext;

/**
 * A queue with one appender and one tailer, by its documentation:
 *
 * <ul>
 *   <li>README, "Appending data using a low-level API" and "Reading data using a tailer": a
 *       document for each message, whose bytes are written and read in place. There is no batch
 *       and no transaction: a batch is its messages one by one.
 *   <li>"default": the queue as the builder makes it; "avoid changing the blockSize
 *       unnecessarily" (Block Size).
 *   <li>"sparse": what its own ThroughputPerfMain uses to be measured: LARGE_HOURLY_XSPARSE and
 *       blocks of 512 GiB, so that one mapping serves throughout. It has an index entry for each
 *       million messages: no point reads.
 *   <li>"sync": SyncMode.SYNC, and ExcerptAppender.sync() after each batch, an msync(2).
 *   <li>The pre-toucher is of the commercial edition, so there is none.
 * </ul>
 */
final class ChronicleLog implements AutoCloseable {
    private static final long SPARSE_BLOCK = 512L << 30;

    private final File directory;
    private final boolean isSynced;
    private final boolean hasIndex;
    private final SingleChronicleQueue queue;
    private final ExcerptAppender appender;
    private final ExcerptTailer tailer;
    private final ExcerptTailer pointTailer;
    private long first;
    private long count;

    ChronicleLog(File directory, String variant) {
        this.directory = directory;
        isSynced = variant.equals("sync");
        hasIndex = !variant.equals("sparse");
        SingleChronicleQueueBuilder builder = SingleChronicleQueueBuilder.single(directory);
        if (!hasIndex) {
            builder.rollCycle(SparseRollCycles.LARGE_HOURLY_XSPARSE).blockSize(SPARSE_BLOCK);
        }
        if (isSynced) {
            builder.syncMode(SyncMode.SYNC);
        }
        queue = builder.build();
        appender = queue.createAppender();
        tailer = queue.createTailer();
        pointTailer = queue.createTailer();
    }

    static String version() {
        return "Chronicle Queue " + System.getProperty("chronicle.version", "");
    }

    boolean isSynced() {
        return isSynced;
    }

    boolean hasIndex() {
        return hasIndex;
    }

    long count() {
        return count;
    }

    /** Appends until there are `end` messages. */
    void append(Values values, long end, int batch) {
        while (count < end) {
            long until = Math.min(count + batch, end);
            for (; count < until; ++count) {
                appendOne(values.at(count));
                if (count == 0) {
                    first = appender.lastIndexAppended();
                }
            }
            if (isSynced) {
                appender.sync();
            }
        }
    }

    void appendOne(BytesStore<?, ?> value) {
        try (DocumentContext document = appender.writingDocument()) {
            document.wire().bytes().write(value);
        }
    }

    void scan(Checksum checksum) {
        tailer.toStart();
        while (readOne(tailer, checksum)) {
            // All is done in the condition.
        }
    }

    void read(long index, Checksum checksum) {
        ChroniclePeer.require(
                pointTailer.moveToIndex(first + index) && readOne(pointTailer, checksum),
                "no message " + index + "; if the queue rolled meanwhile, run it again");
    }

    private static boolean readOne(ExcerptTailer from, Checksum checksum) {
        try (DocumentContext document = from.readingDocument()) {
            if (!document.isPresent()) {
                return false;
            }
            Bytes<?> bytes = document.wire().bytes();
            checksum.add(bytes.addressForRead(bytes.readPosition()), (int) bytes.readRemaining());
            return true;
        }
    }

    /** Lets the calling thread append from now on, and no other. */
    void useAppenderHere() {
        appender.singleThreadedCheckReset();
    }

    ExcerptTailer tailer() {
        return tailer;
    }

    @Override
    public void close() {
        pointTailer.close();
        tailer.close();
        appender.close();
        queue.close();
    }

    /** Closes it, and removes its files. */
    void delete() {
        close();
        IOTools.deleteDirWithFiles(directory);
    }
}
