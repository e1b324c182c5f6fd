// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Chronicle Queue, given the same work as the peers in C++ (bench/peers/peer_run.h): the same
 * values, the same checksum, the same lines of JSON. Everything that is measured was run before
 * for long enough that the compiler is done with it.
 */
public final class ChroniclePeer {
    private static final long STRIDE = 1024;
    private static final long WARM_UP_NANOS = 2_000_000_000L;

    private final Map<String, String> flags;
    private final String variant;
    private final long records;
    private final int batch;
    private final double seconds;
    private final Values values;

    private ChroniclePeer(Map<String, String> flags) {
        this.flags = flags;
        variant = flags.get("variant");
        records = Long.parseLong(flags.get("records"));
        batch = Integer.parseInt(flags.get("batch"));
        seconds = Double.parseDouble(flags.get("seconds"));
        values = new Values(Integer.parseInt(flags.get("record")));
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> flags = new HashMap<>();
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            flags.put(parts[0].substring(2), parts[1]);
        }
        if (!flags.containsKey("work")) {
            ChronicleHandoff.run(flags);
        } else if (flags.get("work").equals("append")) {
            new ChroniclePeer(flags).append();
        } else {
            new ChroniclePeer(flags).read();
        }
        // Threads of the library may still be closing things.
        System.exit(0);
    }

    private ChronicleLog open(String name, String variantOfLog) {
        return new ChronicleLog(new File(flags.get("directory"), name), variantOfLog);
    }

    private void append() throws Exception {
        try (ChronicleLog warm = open("warm", variant.equals("sync") ? "default" : variant)) {
            appendFor(warm, WARM_UP_NANOS / 1e9);
            warm.delete();
        }
        try (ChronicleLog log = open("log", variant)) {
            double took = appendFor(log, seconds);
            Checksum expected = check(log);
            print("append", log.count(), took, log.count(), expected);
        }
    }

    private double appendFor(ChronicleLog log, double limit) {
        long stride = log.isSynced() ? batch : Math.max(batch, STRIDE);
        long start = System.nanoTime();
        double took = 0;
        while (log.count() < records && took < limit) {
            log.append(values, Math.min(log.count() + stride, records), batch);
            took = (System.nanoTime() - start) / 1e9;
        }
        return took;
    }

    private void read() throws Exception {
        try (ChronicleLog log = open("log", variant)) {
            log.append(values, records, 1024);
            Checksum expected = check(log);
            long until = System.nanoTime() + WARM_UP_NANOS;
            while (System.nanoTime() < until) {
                log.scan(new Checksum());
            }
            scan(log, expected);
            if (log.hasIndex()) {
                pointReads(log, new Checksum(), WARM_UP_NANOS / 1e9);
                Checksum found = new Checksum();
                double took = pointReads(log, found, seconds);
                Checksum wanted = new Checksum();
                for (long i = 0; i < found.count(); i++) {
                    wanted.add(values.at(Values.randomIndex(i, log.count())));
                }
                require(found.matches(wanted), "point reads found other values");
                print("point", found.count(), took, log.count(), expected);
            }
        }
    }

    private void scan(ChronicleLog log, Checksum expected) {
        long count = 0;
        long start = System.nanoTime();
        double took = 0;
        do {
            Checksum found = new Checksum();
            log.scan(found);
            require(found.matches(expected), "a scan read other bytes than were appended");
            count += log.count();
            took = (System.nanoTime() - start) / 1e9;
        } while (took < seconds);
        print("scan", count, took, log.count(), expected);
    }

    private double pointReads(ChronicleLog log, Checksum found, double limit) {
        long start = System.nanoTime();
        double took = 0;
        do {
            for (int i = 0; i < STRIDE; i++) {
                log.read(Values.randomIndex(found.count(), log.count()), found);
            }
            took = (System.nanoTime() - start) / 1e9;
        } while (took < limit);
        return took;
    }

    private Checksum check(ChronicleLog log) {
        Checksum expected = new Checksum();
        for (long i = 0; i < log.count(); i++) {
            expected.add(values.at(i));
        }
        Checksum found = new Checksum();
        log.scan(found);
        require(found.matches(expected), "a scan read other bytes than were appended");
        return expected;
    }

    private void print(String work, long count, double took, long appended, Checksum expected) {
        boolean synced = variant.equals("sync");
        System.out.printf(
                Locale.ROOT,
                "{\"work\":\"%s\",\"variant\":\"%s\",\"version\":\"%s\",\"record\":%s,\"batch\":%d,"
                        + "\"synced\":%b,\"survives\":{\"kill\":\"all\",\"power_loss\":\"%s\"},"
                        + "\"appended\":%d,\"checksum\":\"%016x\",\"records\":%d,"
                        + "\"seconds\":%.9f}%n",
                work, variant, ChronicleLog.version(), flags.get("record"), batch, synced,
                synced ? "all" : "some of it, unchecked", appended, expected.sum(), count, took);
    }

    static void require(boolean isTrue, String what) {
        if (!isTrue) {
            throw new IllegalStateException(what);
        }
    }
}
