// SPDX-License-Identifier: Apache-2.0

import org.apache.kafka.tools.api.Decoder;

/** Makes Kafka's DumpLogSegments print keys and payloads exactly: as hex digits, in brackets. */
public final class HexDecoder implements Decoder<String> {
  @Override
  public String fromBytes(byte[] bytes) {
    return bytes == null ? "null" : "[" + BatchJson.hex(bytes) + "]";
  }
}
