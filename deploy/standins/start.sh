#!/bin/bash
# Does what the public image's own entry point does with its environment, as far as docker-compose.yml uses it.
set -euo pipefail
jvm="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
case "$SERVER" in
kafka)
  # KAFKA_LOG_DIRS becomes log.dirs, and so on.
  env | sed -n 's/^KAFKA_\([A-Z_]*\)=\(.*\)/\1 \2/p' | grep -v '^HEAP_OPTS' | while read -r name value; do echo "$(tr 'A-Z_' 'a-z.' <<<"$name")=$value"; done >/tmp/server.properties
  [ -f "$KAFKA_LOG_DIRS/meta.properties" ] || java -Xmx128m $jvm -cp '/opt/server/*' kafka.tools.StorageTool format -t 4L6g3nShT-eMCtK--X86sw -c /tmp/server.properties
  exec java ${KAFKA_HEAP_OPTS:--Xmx512m} $jvm -cp '/opt/server/*' kafka.Kafka /tmp/server.properties ;;
registry) # Quarkus reads its settings from the environment itself.
  exec java ${JAVA_OPTS_APPEND:-} $jvm -Dquarkus.http.host=0.0.0.0 -jar /opt/server/apicurio-registry-app-*-runner.jar ;;
neo4j)
  export NEO4J_HOME=/var/lib/neo4j NEO4J_CONF=/var/lib/neo4j/conf
  mkdir -p "$NEO4J_CONF" /data
  printf '%s\n' server.directories.data=/data server.default_listen_address=0.0.0.0 server.memory.pagecache.size=64m dbms.usage_report.enabled=false >"$NEO4J_CONF/neo4j.conf"
  [ -d /data/databases ] || java -Xmx128m $jvm -cp '/opt/server/*' org.neo4j.server.startup.Neo4jAdminCommand dbms set-initial-password "${NEO4J_AUTH#neo4j/}"
  exec java -Xmx448m $jvm --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED -cp '/opt/server/*' org.neo4j.server.CommunityEntryPoint --home-dir="$NEO4J_HOME" --config-dir="$NEO4J_CONF" ;;
redis)
  mkdir -p /data
  shift # the name of the program in the public image
  exec /opt/server/redis-server --bind 0.0.0.0 --protected-mode no --dir /data "$@" ;;
esac
