// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.wire.DocumentContext;

/**
 * A message of 64 bytes from one thread to another through a queue, as bench/peers/handoff_run.h
 * measures it. The tailer looks all the time, as the README says; the queue wakes nobody.
 */
final class ChronicleHandoff {
    private static final int MESSAGE_SIZE = 64;
    private static final double WARM_UP_SECONDS = 3;
    private static final double NOT_COUNTED = 0.1;

    private ChronicleHandoff() {
    }

    static void run(Map<String, String> flags) throws Exception {
        long rate = Long.parseLong(flags.get("rate"));
        double seconds = Double.parseDouble(flags.get("seconds"));
        File directory = new File(flags.get("directory"));
        measure(new File(directory, "warm"), rate, WARM_UP_SECONDS);
        long[] nanos = measure(new File(directory, "log"), rate, seconds);
        nanos = Arrays.copyOfRange(nanos, (int) (nanos.length * NOT_COUNTED), nanos.length);
        Arrays.sort(nanos);
        System.out.printf(
                Locale.ROOT,
                "{\"work\":\"handoff_spinning\",\"variant\":\"%s\",\"version\":\"%s\","
                        + "\"rate\":%d,\"survives\":{\"kill\":\"all\","
                        + "\"power_loss\":\"some of it, unchecked\"},\"messages\":%d,"
                        + "\"us\":{\"p50\":%.3f,\"p99\":%.3f,\"p99.9\":%.3f,\"p99.99\":%.3f,"
                        + "\"max\":%.3f}}%n",
                flags.get("variant"), ChronicleLog.version(), rate, nanos.length,
                micros(nanos, 0.5), micros(nanos, 0.99), micros(nanos, 0.999),
                micros(nanos, 0.9999), micros(nanos, 1));
    }

    private static double micros(long[] sorted, double fraction) {
        int rank = Math.max((int) Math.ceil(fraction * sorted.length), 1);
        return sorted[rank - 1] / 1000.0;
    }

    private static long[] measure(File directory, long rate, double seconds) throws Exception {
        long[] nanos = new long[(int) (rate * seconds)];
        try (ChronicleLog log = new ChronicleLog(directory, "default")) {
            Thread sender = new Thread(() -> send(log, rate, nanos.length));
            sender.start();
            for (int i = 0; i < nanos.length; ) {
                try (DocumentContext document = log.tailer().readingDocument()) {
                    if (!document.isPresent()) {
                        continue;
                    }
                    Bytes<?> bytes = document.wire().bytes();
                    long due = bytes.readLong();
                    long number = bytes.readLong();
                    nanos[i] = System.nanoTime() - due;
                    ChroniclePeer.require(number == i, "another message than was sent next");
                    i++;
                }
            }
            sender.join();
        }
        return nanos;
    }

    private static void send(ChronicleLog log, long rate, int count) {
        log.useAppenderHere();
        BytesStore<?, ?> message = BytesStore.nativeStoreWithFixedCapacity(MESSAGE_SIZE);
        long interval = 1_000_000_000L / rate;
        long due = System.nanoTime() + 1_000_000;
        for (int i = 0; i < count; i++, due += interval) {
            while (System.nanoTime() < due) {
                Thread.onSpinWait();
            }
            message.writeLong(0, due);
            message.writeLong(8, i);
            log.appendOne(message);
        }
    }
}
