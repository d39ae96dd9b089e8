# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
#
# The servers in namespace s: nginx (HTTP, TLS 1.2 and 1.3), nghttpd (HTTP/2 in clear), dnsmasq.
# Part of record-captures, which reads this file.

site=$work/site
mkdir -p "$site/img" "$work/nginx"
python3 - "$site" <<'PY'
import random, sys
r = random.Random(20)
words = "flow packet sketch probe epoch lane ring burst table record hash port".split()
def text(n):
    return " ".join(r.choice(words) for _ in range(n))
with open(sys.argv[1] + "/index.html", "w") as f:
    f.write("<!doctype html><title>www.example.test</title><p>" + text(150) + "</p>\n")
with open(sys.argv[1] + "/style.css", "w") as f:
    f.write("body { font: 1em serif }\n" * 20)
with open(sys.argv[1] + "/img/logo.bin", "wb") as f:
    f.write(r.randbytes(6000))
with open(sys.argv[1] + "/file.bin", "wb") as f:
    f.write(r.randbytes(22000))
with open(sys.argv[1] + "/api.json", "w") as f:
    f.write('{"service": "' + text(40) + '"}\n')
PY
chmod -R a+rX "$site"

cert() { # NAME COMMON-NAME KEY-ARGUMENTS...
	local name=$1 cn=$2
	shift 2
	openssl req -x509 -nodes -days 3650 -subj "/CN=$cn" -newkey "$@" \
		-addext "subjectAltName=DNS:$cn,DNS:*.example.test" \
		-keyout "$work/$name.key" -out "$work/$name.crt" 2>/dev/null
}
cert rsa www.example.test rsa:2048
cert ec shop.example.test ec -pkeyopt ec_paramgen_curve:P-256

cat >"$work/nginx.conf" <<NGINX
daemon off;
worker_processes 1;
pid $work/nginx/pid;
error_log $work/nginx.err.log;
events { worker_connections 64; }
http {
	access_log off;
	types { text/html html; text/css css; application/json json; }
	default_type application/octet-stream;
	client_body_temp_path $work/nginx/body;
	proxy_temp_path $work/nginx/proxy;
	fastcgi_temp_path $work/nginx/fastcgi;
	uwsgi_temp_path $work/nginx/uwsgi;
	scgi_temp_path $work/nginx/scgi;
	root $site;
	server {
		listen 80 default_server;
		listen [::]:80 default_server;
		location = /old { return 301 /index.html; }
		location = /upload { client_max_body_size 1m; proxy_pass http://127.0.0.1:8099/; }
	}
	server { # only there to take uploads in
		listen 127.0.0.1:8099;
		location / { return 200 "stored\n"; }
	}
	server {
		listen 443 ssl http2 default_server;
		listen [::]:443 ssl http2 default_server;
		ssl_protocols TLSv1.3;
		ssl_certificate $work/ec.crt;
		ssl_certificate_key $work/ec.key;
	}
	server {
		listen 8443 ssl default_server;
		ssl_protocols TLSv1.2;
		ssl_certificate $work/rsa.crt;
		ssl_certificate_key $work/rsa.key;
	}
}
NGINX
start s nginx nginx -c "$work/nginx.conf"

long=$(printf 'part of a long answer %.0s' $(seq 9))
cat >"$work/dnsmasq.conf" <<DNS
no-resolv
no-hosts
no-daemon
user=root
bind-interfaces
listen-address=$net4.53,$net6:53
local=/example.test/
local=/nowhere.test/
host-record=www.example.test,$net4.80,$net6:80
host-record=shop.example.test,$net4.81,$net6:81
host-record=mail.example.test,$net4.21
cname=web.example.test,www.example.test
mx-host=example.test,mail.example.test,10
txt-record=example.test,v=spf1 -all
txt-record=long.example.test,$long,$long,$long,$long
srv-host=_ipfix._tcp.example.test,mail.example.test,4739
ptr-record=80.0.20.10.in-addr.arpa,www.example.test
DNS
start s dnsmasq dnsmasq -k -C "$work/dnsmasq.conf"
start s nghttpd nghttpd --no-tls -a "$net4.81" -d "$site" 8080
wait_port "$net4.80" 80
wait_port "$net4.80" 8443
wait_port "$net4.81" 8080
wait_port "$net4.53" 53
