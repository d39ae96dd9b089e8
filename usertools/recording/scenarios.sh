# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
#
# The scenarios: one function each, run while the recorder listens.
# Part of record-captures, which reads this file.

get() { # CLIENT CURL-ARGUMENTS...
	local from=$1
	shift
	c curl -sS -k -o /dev/null --max-time 20 --interface "$net4.$from" "$@"
}
at() { # NAME PORT HOST-PART: says where a name lives, as curl's --resolve takes it
	echo "$1:$2:$net4.$3"
}

tls12() {
	local name
	for name in www.example.test shop.example.test api.example.test; do
		get 11 --tls-max 1.2 --http1.1 --resolve "$(at $name 8443 80)" \
			"https://$name:8443/index.html"
	done
	get 12 --tls-max 1.2 --ciphers ECDHE-RSA-CHACHA20-POLY1305 \
		--resolve "$(at www.example.test 8443 80)" https://www.example.test:8443/api.json
	get 12 --tls-max 1.2 "https://$net4.80:8443/style.css"
	get 12 --tlsv1.3 --resolve "$(at www.example.test 8443 80)" \
		https://www.example.test:8443/ 2>/dev/null || true # a refused version: an alert
}
tls13() {
	local name
	for name in shop.example.test login.example.test cdn.example.test; do
		get 11 --tlsv1.3 --http1.1 --resolve "$(at $name 443 81)" "https://$name/index.html"
	done
	get 13 --tlsv1.3 --http1.1 --resolve "$(at cdn.example.test 443 81)" \
		https://cdn.example.test/img/logo.bin
	# The second connection resumes the session of the first.
	(printf 'GET / HTTP/1.0\r\nHost: shop.example.test\r\n\r\n'; sleep 0.5) |
		c openssl s_client -quiet -connect "$net4.81:443" -servername shop.example.test \
			-sess_out "$work/session" >/dev/null 2>&1 || true
	(printf 'GET / HTTP/1.0\r\nHost: shop.example.test\r\n\r\n'; sleep 0.5) |
		c openssl s_client -quiet -connect "$net4.81:443" -servername shop.example.test \
			-sess_in "$work/session" >/dev/null 2>&1 || true
}
http1() {
	local w=(--http1.1 --resolve "$(at www.example.test 80 80)")
	get 11 "${w[@]}" http://www.example.test/index.html -o /dev/null \
		http://www.example.test/style.css -o /dev/null http://www.example.test/img/logo.bin
	get 12 "${w[@]}" -I http://www.example.test/
	get 12 "${w[@]}" -L http://www.example.test/old
	get 12 "${w[@]}" http://www.example.test/missing
	get 13 "${w[@]}" -r 100-1999 http://www.example.test/img/logo.bin
	get 13 "${w[@]}" --data-binary "@$site/api.json" http://www.example.test/upload
	get 13 "${w[@]}" --http1.0 http://www.example.test/api.json
}
http2() {
	get 11 --http2 --resolve "$(at shop.example.test 443 81)" \
		https://shop.example.test/index.html -o /dev/null https://shop.example.test/style.css
	# In clear, by prior knowledge, several streams of one connection.
	c nghttp -n "http://$net4.81:8080/index.html" "http://$net4.81:8080/style.css" \
		"http://$net4.81:8080/img/logo.bin" >/dev/null
	get 13 --http2-prior-knowledge -A 'curl as shop/1.0' "http://$net4.81:8080/api.json"
}
dns() {
	local q words
	for q in "www.example.test A" "www.example.test AAAA" "web.example.test A" \
		"example.test MX" "example.test TXT" "_ipfix._tcp.example.test SRV" \
		"nobody.example.test A" "-x $net4.80"; do
		read -ra words <<<"$q"
		c dig -b "$net4.11" "@$net4.53" "${words[@]}" >/dev/null
	done
	c dig -b "$net4.12" "@$net4.53" +noedns long.example.test TXT >/dev/null # TC, then TCP
	c dig -b "$net4.12" "@$net4.53" +bufsize=4096 long.example.test TXT >/dev/null
	c dig -b "$net6:13" "@$net6:53" shop.example.test AAAA >/dev/null
	c dig -b "$net4.13" "@$net4.53" +tcp +keepopen shop.example.test A mail.example.test A >/dev/null
}
loss() {
	m nft -f - <<NFT
table bridge loss {
	chain forward {
		type filter hook forward priority 0;
		ip protocol tcp numgen inc mod 9 7 counter drop
	}
}
NFT
	get 12 --http1.1 "http://$net4.80/file.bin"
	get 13 --http1.1 -H 'Expect:' -H 'Content-Type: application/octet-stream' \
		--data-binary "@$site/file.bin" "http://$net4.80/upload"
	m nft delete table bridge loss
}
scan() {
	local o=(-n -Pn -T4 --max-retries 1 -e eth0 -S "$net4.66")
	c nmap -sS "${o[@]}" -p 1-150 "$net4.80" >/dev/null
	c nmap -sT -n -Pn -T4 -p 20-60,443,8080,8443 "$net4.81" >/dev/null
	c nmap -sU "${o[@]}" -p 53,123,161,4739 "$net4.53" >/dev/null
}
pings() {
	c ping -q -I "$net4.11" -c 3 -i 0.2 "$net4.80" >/dev/null
	c ping -q -6 -I "$net6:12" -c 3 -i 0.2 "$net6:80" >/dev/null
	c ping -q -I "$net4.13" -c 2 -i 0.2 -s 3500 "$net4.80" >/dev/null # three fragments
	c ping -q -6 -I "$net6:13" -c 2 -i 0.2 -s 3000 "$net6:80" >/dev/null
	c ping -q -I "$net4.11" -c 1 -W 1 "$net4.99" >/dev/null 2>&1 || true # nobody there
}
ipv6() {
	local name
	for name in www.example.test shop.example.test; do
		c curl -sS -k -o /dev/null --interface "$net6:11" --http1.1 \
			--resolve "$name:80:[$net6:80]" "http://$name/index.html"
	done
	c curl -sS -k -o /dev/null --interface "$net6:12" --http2 \
		--resolve "shop.example.test:443:[$net6:81]" https://shop.example.test/img/logo.bin
	c curl -sS -o /dev/null "http://[$net6:80]:81/" 2>/dev/null || true # refused
}
udpfrag() {
	# Datagrams around and over the MTU, both ways; the last goes to a closed port.
	cat >"$work/echo.py" <<'PY'
import select, socket, sys
socks = []
for address in sys.argv[1:]: # bound to each, so that answers leave from the address asked
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 5000))
    socks.append(s)
print("ready", flush=True)
while True:
    for s in select.select(socks, [], [])[0]:
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
PY
	cat >"$work/send.py" <<'PY'
import socket, sys
source, target = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((source, 0))
s.settimeout(2)
for size in (200, 1472, 1473, 2400, 3500):
    s.sendto(bytes(i % 251 for i in range(size)), (target, 5000))
    s.recvfrom(65536)
s.sendto(bytes(2500), (target, 5001))
PY
	start s echo python3 "$work/echo.py" "$net4.21" "$net6:21"
	local echo=$started
	wait_for echo ready
	c python3 "$work/send.py" "$net4.12" "$net4.21"
	c python3 "$work/send.py" "$net6:13" "$net6:21"
	sleep 0.2
	stop "$echo"
}

# What travels through each tunnel; 172.16.N.0/24 and 2001:db8:N::/64 are inside.
inside() { # N
	c ping -q -c 2 -i 0.2 "172.16.$1.2" >/dev/null
	c curl -sS -o /dev/null --http1.1 "http://172.16.$1.2/index.html"
}
inside6() { # N
	c ping -q -6 -c 2 -i 0.2 "2001:db8:$1::2" >/dev/null
	c curl -sS -o /dev/null --http1.1 "http://[2001:db8:$1::2]/api.json"
}
address() { # NAMESPACE DEVICE N HOST
	ip -n "$ns$1" addr add "172.16.$3.$4/24" dev "$2"
	ip -n "$ns$1" addr add "2001:db8:$3::$4/64" dev "$2" nodad
	ip -n "$ns$1" link set "$2" mtu 1400 up
}
tunnel() { # KIND LOWER N FUNCTION...: a tunnel in user space, for as long as FUNCTION runs
	local kind=$1 lower=$2 n=$3 ends=()
	shift 3
	start c "tunnel-$kind-c" "$tools/recording/tap-tunnel" "$kind" tun0 "$lower" "$net4.12" "$net4.21"
	ends+=("$started")
	start s "tunnel-$kind-s" "$tools/recording/tap-tunnel" "$kind" tun0 "$lower" "$net4.21" "$net4.12"
	ends+=("$started")
	wait_for "tunnel-$kind-c" ready
	wait_for "tunnel-$kind-s" ready
	address c tun0 "$n" 1
	address s tun0 "$n" 2
	for f in "$@"; do
		"$f" "$n"
	done
	stop "${ends[0]}"
	stop "${ends[1]}"
}
vlan() {
	tunnel vlan eth0:100 100 inside inside6
	tunnel qinq eth0:200.100 101 inside inside6
}
vxlan() {
	ip -n "${ns}c" link add vx0 type vxlan id 4242 dstport 4789 \
		local "$net4.12" remote "$net4.21" dev eth0
	ip -n "${ns}s" link add vx0 type vxlan id 4242 dstport 4789 \
		local "$net4.21" remote "$net4.12" dev eth0
	local n
	for n in c s; do
		ip netns exec "$ns$n" ethtool -K vx0 tso off gso off gro off tx off >/dev/null 2>&1 || true
	done
	address c vx0 110 1
	address s vx0 110 2
	inside 110
	inside6 110
	c dig @172.16.110.2 +time=1 +tries=1 www.example.test A >/dev/null || true # refused
	ip -n "${ns}c" link del vx0
	ip -n "${ns}s" link del vx0
}
gre() {
	tunnel gre 0 111 inside inside6
	tunnel nvgre 5151 112 inside
}
geneve() { tunnel geneve 6161 113 inside inside6; }
ipip() {
	tunnel ipip 0 114 inside
	tunnel 6in4 0 115 inside6
}
