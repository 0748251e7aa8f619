# certificates.sh - the authority and the certificate of tools/up --tls. Sourced.

# In time for TrellisCertificate30Days never to fire where tools/up is run now and then.
CERTIFICATE_DAYS_LEFT=40

# The name is a DNS one, though it is an address: the bus's TLS (Mbed TLS 2.28)
# compares it with no other kind.
#
# An authority that is good for so long stays, and signs; whoever still has the former
# certificate and whoever has the new one then believe each other. Each file is put in
# place whole, the certificate last: where that was cut off, the key is another's, and all
# is made anew the next time.
make_certificates() {
	# shellcheck disable=SC2016
	as_user sh -ec 'umask 077; cd "$1"; seconds=$(($2 * 86400))
		lasts() { openssl x509 -in "$1.crt" -noout -checkend $seconds; }
		is_its_key() { [ "$(openssl x509 -in "$1.crt" -noout -pubkey)" = "$(openssl pkey -in "$1.key" -pubout)" ]; }
		key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
		if ! { lasts ca && is_its_key ca; }; then
			openssl req -x509 $key -days 3650 -subj "/CN=trellis bus CA" -keyout ca.key.new -out ca.crt.new
			mv ca.key.new ca.key
			mv ca.crt.new ca.crt
		fi
		! { lasts bus && is_its_key bus && openssl verify -CAfile ca.crt bus.crt &&
			openssl x509 -in bus.crt -noout -ext subjectAltName | grep -q DNS:127.0.0.1; } || exit 0
		openssl req $key -subj "/CN=127.0.0.1" -keyout bus.key.new -out bus.csr
		echo "subjectAltName=DNS:127.0.0.1,DNS:localhost" >bus.ext
		openssl x509 -req -in bus.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -extfile bus.ext -out bus.crt.new
		mv bus.key.new bus.key
		mv bus.crt.new bus.crt' sh "$RUN/keys" $CERTIFICATE_DAYS_LEFT
}
