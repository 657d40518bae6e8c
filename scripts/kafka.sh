#!/usr/bin/env bash
# A real Apache Kafka for tests, from its published artifacts: no container, nothing outside a cache folder.
#
#   kafka.sh fetch        downloads the jars (55 MB) and checks each against kafka/jars.sha256
#   kafka.sh start DIR    starts a broker whose data is in DIR (made where it is missing); prints host:port
#   kafka.sh stop DIR     stops it, in good order
#   kafka.sh node DIR N   starts one of several brokers again
#   kafka.sh with DIR     start; when stdin is closed, stop and delete DIR: for whoever may be killed
#   kafka.sh delete-topic DIR TOPIC
#   kafka.sh forget DIR GROUP             deletes a group with its positions
#   kafka.sh forbid DIR OPERATION TOPIC   for the user `logscrub`, where KAFKA_SASL is set
#
# A second start in the same DIR goes on with its data and its ports. KAFKA_EXTRA holds further lines for
# server.properties. With KAFKA_SASL a second listener asks for a password (user `logscrub`, password `swordfish`);
# its address is in DIR/address.sasl. `plain`: SASL/PLAIN in the clear; `tls`: PLAIN and SCRAM-SHA-512 behind TLS,
# whose certificate is in DIR/tls.pem. With KAFKA_NODES=3 there are three brokers, the first of them the controller;
# the others are in DIR/node2 and DIR/node3.
set -euo pipefail
case "${2:-}" in "" | /*) dir=${2:-} ;; *) dir=$PWD/$2 ;; esac
source "$(dirname "${BASH_SOURCE[0]}")/need.sh"

here=$PWD/scripts/kafka
jars=${XDG_CACHE_HOME:-$HOME/.cache}/logscrub/kafka-4.3.1

jars_are_right() {
    [ -d "$1" ] && (cd "$1" && sha256sum --check --strict --quiet "$here/jars.sha256") >/dev/null 2>&1
}

fetch() {
    [ -e "$jars/checked" ] && return
    need java default-jre-headless
    need mvn maven
    mkdir -p "$(dirname "$jars")"
    local new
    new=$(mktemp -d "$jars.XXXXXX")
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$new" >&2
    if ! jars_are_right "$new"; then
        rm -rf "$new"
        echo "the jars are not those of scripts/kafka/jars.sha256" >&2
        exit 1
    fi
    touch "$new/checked"
    # Whoever was first has the place.
    mv -T "$new" "$jars" 2>/dev/null || rm -rf "$new"
}

options=(-Xms256m -Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*"
    -Dlog4j2.configurationFile="$here/log4j2.properties")

# A port below the range that the system hands out, on which nobody answers.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# A key of the broker's own, and its certificate.
certificate() {
    local store=(-keystore "$dir/tls.p12" -storetype PKCS12 -storepass swordfish -alias broker)
    rm -f "$dir/tls.p12"
    keytool -genkeypair "${store[@]}" -keyalg EC -groupname secp256r1 -validity 2 -dname CN=broker \
        -ext san=ip:127.0.0.1 >/dev/null 2>&1
    keytool -exportcert "${store[@]}" -rfc -file "$dir/tls.pem" >/dev/null 2>&1
}

configure() {
    local port controller sasl=
    port=$(free_port)
    controller=$(free_port)
    mkdir -p "$dir/data"
    if [ -n "${KAFKA_SASL:-}" ]; then
        echo "127.0.0.1:$(free_port)" >"$dir/address.sasl"
        sasl=,SASL://$(cat "$dir/address.sasl")
    fi
    local credentials=()
    if [ "${KAFKA_SASL:-}" = tls ]; then
        certificate
        credentials=(--add-scram "SCRAM-SHA-512=[name=logscrub,password=swordfish]")
    fi
    {
        cat "$here/server.properties"
        [ -z "$sasl" ] || cat "$here/sasl.properties" "$here/sasl.$KAFKA_SASL.properties"
        [ ${#credentials[@]} = 0 ] || echo "listener.name.sasl.ssl.keystore.location=$dir/tls.p12"
        echo "${KAFKA_EXTRA:-}"
        echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller$sasl"
        echo "advertised.listeners=PLAINTEXT://127.0.0.1:$port$sasl"
        echo "controller.quorum.voters=1@127.0.0.1:$controller"
        echo "log.dirs=$dir/data"
    } >"$dir/server.properties"
    echo "127.0.0.1:$port" >"$dir/address"
    local id
    id=$(java "${options[@]}" kafka.tools.StorageTool random-uuid | tail -n1)
    nodes
    local properties
    for properties in "$dir/server.properties" "$dir"/node*/server.properties; do
        [ -e "$properties" ] || continue
        java "${options[@]}" kafka.tools.StorageTool format -t "$id" "${credentials[@]}" \
            -c "$properties" >>"$dir/format.out" 2>&1
    done
}

# Writes what the other brokers of several need; the first is their controller.
nodes() {
    local node
    [ "${KAFKA_NODES:-1}" -gt 1 ] || return 0
    cat "$here/cluster.properties" >>"$dir/server.properties"
    for ((node = 2; node <= KAFKA_NODES; node++)); do
        mkdir -p "$dir/node$node"
        {
            grep -v "^listeners=\|^advertised.listeners=\|^log.dirs=" "$dir/server.properties"
            echo "process.roles=broker"
            echo "node.id=$node"
            echo "listeners=PLAINTEXT://127.0.0.1:$(free_port)"
            echo "log.dirs=$dir/node$node/data"
        } >"$dir/node$node/server.properties"
    done
}

# Starts the configured brokers; fails where a process ends before it is up (a port was taken).
launch() {
    launch_in "$dir" || return
    local node
    for node in "$dir"/node*; do
        [ ! -d "$node" ] || launch_in "$node" || return
    done
}

# The broker whose folder is given.
launch_in() {
    : >"$1/broker.out"
    setsid java "${options[@]}" kafka.Kafka "$1/server.properties" \
        >"$1/broker.out" 2>&1 </dev/null &
    echo $! >"$1/broker.pid"
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        grep -q "Kafka Server started" "$1/broker.out" && return
        grep -q "BindException\|KafkaException\|Exiting Kafka" "$1/broker.out" && return 1
        sleep 0.1
    done
    return 1
}

start() {
    fetch
    mkdir -p "$dir"
    if [ -e "$dir/server.properties" ]; then
        launch && cat "$dir/address" && return
    else
        local tries
        for tries in 1 2 3; do
            rm -rf "$dir/data" "$dir"/node*
            configure
            launch && cat "$dir/address" && return
        done
    fi
    tail -n 20 "$dir/broker.out" >&2
    echo "the broker did not start; see $dir/broker.out" >&2
    exit 69
}

stop() {
    local folder
    # The controller last: the others leave by it.
    for folder in "$dir"/node* "$dir"; do
        stop_in "$folder"
    done
}

stop_in() {
    local pid
    pid=$(cat "$1/broker.pid" 2>/dev/null) || return 0
    rm -f "$1/broker.pid"
    kill "$pid" 2>/dev/null || return 0
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

case "${1:-} ${dir:+DIR}" in
"fetch ") fetch ;;
"start DIR") start ;;
"stop DIR") stop ;;
"node DIR") launch_in "$dir/node$3" ;;
"delete-topic DIR")
    java "${options[@]}" org.apache.kafka.tools.TopicCommand --bootstrap-server "$(cat "$dir/address")" \
        --delete --topic "$3"
    ;;
"forget DIR")
    java "${options[@]}" org.apache.kafka.tools.consumer.group.ConsumerGroupCommand \
        --bootstrap-server "$(cat "$dir/address")" --delete --group "$3"
    ;;
"forbid DIR")
    acl=(java "${options[@]}" org.apache.kafka.tools.AclCommand --bootstrap-server "$(cat "$dir/address")")
    # What has any rule allows nothing else.
    "${acl[@]}" --add --allow-principal User:logscrub --operation All --topic "$4"
    "${acl[@]}" --add --deny-principal User:logscrub --operation "$3" --topic "$4"
    ;;
"with DIR")
    start
    cat >/dev/null || true
    stop
    rm -rf "$dir"
    ;;
*)
    sed -n '2,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
