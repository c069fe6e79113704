#!/bin/bash
# The public image's script of this name; the tools' jar is not among ours, so Kafka's own client asks the broker for its groups.
exec java -Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '/opt/server/*' kafka.admin.ConfigCommand --describe --entity-type brokers --all "$@"
