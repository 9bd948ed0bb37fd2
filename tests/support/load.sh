# SPDX-FileCopyrightText: 2026 The Signet authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced: client loops that use an identity again and again and count what happened, and the nginx they talk to.
# Expects $SIGNET_LIVE and friends (a testbed's env), $work (a directory), $port.

# Each client makes one request with a new connection and proves that the server saw the certificate.
request_curl() {
    curl -sS --max-time 25 --cacert "$SIGNET_LIVE/web/ca.pem" --cert "$SIGNET_LIVE/app/cert.pem" \
        --key "$SIGNET_LIVE/app/key.pem" "https://localhost:$port/" | grep -q 'CN=app'
}

request_s_client() {
    printf 'GET / HTTP/1.0\r\n\r\n' |
        openssl s_client -connect "localhost:$port" -CAfile "$SIGNET_LIVE/web/ca.pem" -verify_return_error -quiet \
            -cert "$SIGNET_LIVE/app/cert.pem" -key "$SIGNET_LIVE/app/key.pem" 2>"$work/s_client.err" |
        grep -q 'CN=app'
}

# loop NAME FUNCTION: until $work/stop exists; counts in $work/NAME.{ok,failed}, reasons in $work/NAME.log.
loop() {
    local ok=0 failed=0
    while [ ! -e "$work/stop" ]; do
        if "$2" 2>>"$work/$1.log"; then
            ok=$((ok + 1))
        else
            failed=$((failed + 1))
            echo "request $((ok + failed)) failed at $(date +%T.%N)" >>"$work/$1.log"
            [ ! -e "$work/s_client.err" ] || cat "$work/s_client.err" >>"$work/$1.log"
        fi
        # Whole or not at all, for whoever adds them up meanwhile.
        echo $ok >"$work/$1.ok.new" && mv "$work/$1.ok.new" "$work/$1.ok"
        echo $failed >"$work/$1.failed.new" && mv "$work/$1.failed.new" "$work/$1.failed"
    done
}

# The same in one Python process, with a new session for each request.
loop_requests() {
    /usr/bin/python3 - "$1" <<'EOF'
import os, sys, requests, traceback
name, work, live = sys.argv[1], os.environ["work"], os.environ["SIGNET_LIVE"]
url = f"https://localhost:{os.environ['port']}/"
ok = failed = 0
with open(f"{work}/{name}.log", "a") as log:
    while not os.path.exists(f"{work}/stop"):
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(url, cert=(f"{live}/app/cert.pem", f"{live}/app/key.pem"),
                                     verify=f"{live}/web/ca.pem", timeout=25)
            assert answer.status_code == 200 and "CN=app" in answer.text, answer.text
            ok += 1
        except Exception:
            failed += 1
            traceback.print_exc(file=log)
            log.flush()
        for what, count in (("ok", ok), ("failed", failed)):
            with open(f"{work}/{name}.{what}.new", "w") as f:
                f.write(f"{count}\n")
            os.rename(f.name, f"{work}/{name}.{what}")
EOF
}

# sum SUFFIX: over all loops
sum() {
    cat "$work"/*."$1" | awk '{n += $1} END {print n + 0}'
}

# A port of this machine that nobody listens on.
free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

write_nginx_config() {
    cat >"$work/nginx.conf" <<EOF
user www-data;
worker_processes 2;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log notice;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path $work/nginx-body;
    proxy_temp_path $work/nginx-proxy;
    fastcgi_temp_path $work/nginx-fastcgi;
    uwsgi_temp_path $work/nginx-uwsgi;
    scgi_temp_path $work/nginx-scgi;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $SIGNET_LIVE/web/fullchain.pem;
        ssl_certificate_key $SIGNET_LIVE/web/key.pem;
        ssl_client_certificate $SIGNET_LIVE/app/ca.pem;
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        location / { return 200 "hello \$ssl_client_s_dn\n"; }
    }
}
EOF
}

# Reloads nginx whenever live/web points elsewhere, as a systemd path unit would.
reload_nginx_on_rotation() {
    local seen now
    seen=$(readlink "$SIGNET_LIVE/web")
    while [ ! -e "$work/stop-reload" ]; do
        now=$(readlink "$SIGNET_LIVE/web")
        if [ "$now" != "$seen" ]; then
            kill -HUP "$(cat "$work/nginx.pid")"
            seen=$now
        fi
        sleep 0.1
    done
}
