# demo_billing.sh - the part of tools/demo about money: a trial, a preview, a card whose bank
# asks, an upgrade, a card that is refused and what comes of it by a clock of the
# organisation's own, seats, a PDF, a credit note, the ledger.

IN=(-H "X-Tenant-Id: $TENANT")

# Of documents what is asked about first; amounts are cents.
PREVIEW='(.invoice // .renewal) | {lines: [.lines[] | {description, amount}], net, tax, total}'
INVOICES='.items[] | {number, status, net, tax, total, amount_due, attempts, next_attempt_at, decline_code} | with_entries(select(.value != null))'

# The organisation's clock, moved on by so many days.
days() {
	CLOCK=$(jq -rn --arg from "$CLOCK" --argjson days "$1" '$from | fromdateiso8601 + $days * 86400 | todateiso8601')
	printf '  tools/trellis call AdvanceClock, to %s\n' "$CLOCK"
	operator call AdvanceClock "{\"tenant_id\": \"$TENANT\", \"to\": \"$CLOCK\"}" | sed 's/^/    /'
}

story "Her organisation tries the plan Team for 14 days"
on_trial() { [ "$(curl -sf "$URL/api/v1/subscription" -H "Authorization: Bearer $ADA" "${IN[@]}" | jq -r .status)" = trialing ]; }
wait_until 30 trial on_trial || die "no trial began within 30 s; tools/trellis events lag may say why."
TOKEN=$ADA
call 200 PUT /api/v1/billing-profile '{"legal_name": "Acme Ltd", "address_line1": "Main Street 1", "postal_code": "1010", "city": "Wien", "country": "AT", "time_zone": "Europe/Vienna", "locale": "en"}' "${IN[@]}"
LINES_SHOWN=10 call 200 GET /api/v1/subscription '' "${IN[@]}"

story "Her card's bank asks her first (3-D Secure; it is Stripe's test card for that)"
call 201 POST /api/v1/payment-methods '{"card_number": "4000002500003155", "expiry_month": 12, "expiry_year": 2099}' "${IN[@]}"
call 204 POST "$(take .next_action_url)" '{"pass": true}' "${IN[@]}"

story "A preview says what five seats will cost when the trial is over"
SHOWN=$PREVIEW LINES_SHOWN=30 call 200 POST /api/v1/subscription/preview '{"seats": 5}' "${IN[@]}"
call 200 POST /api/v1/subscription '{"seats": 5}' "${IN[@]}"

story "The trial ends, by a clock that only this organisation has: the first invoice is paid"
CLOCK=$(operator call AdvanceClock "{\"tenant_id\": \"$TENANT\"}" --json | jq -r .now)
days 15
LINES_SHOWN=10 call 200 GET /api/v1/subscription '' "${IN[@]}"
SHOWN=$INVOICES call 200 GET "/api/v1/invoices?page_size=1" '' "${IN[@]}"
FIRST=$(take '.items[0].id')

story "She upgrades in the middle of the month: the invoice is the one of the preview"
days 10
SHOWN=$PREVIEW LINES_SHOWN=30 call 200 POST /api/v1/subscription/preview '{"plan": "business"}' "${IN[@]}"
previewed=$(take .invoice.total)
LINES_SHOWN=8 call 200 POST /api/v1/subscription '{"plan": "business"}' "${IN[@]}"
SHOWN=$INVOICES call 200 GET "/api/v1/invoices?page_size=1" '' "${IN[@]}"
[ "$(take '.items[0].total')" = "$previewed" ] || die "the invoice is over $(take '.items[0].total') and not $previewed."

story "Another card is refused when the next month begins; it is tried again, and another one pays"
call 201 POST /api/v1/payment-methods '{"card_number": "4000000000000341", "expiry_month": 12, "expiry_year": 2099}' "${IN[@]}"
LINES_SHOWN=4 call 200 POST "/api/v1/payment-methods/$(take .id)/default" '' "${IN[@]}"
days 21
LINES_SHOWN=6 call 200 GET /api/v1/subscription '' "${IN[@]}"
SHOWN=$INVOICES call 200 GET "/api/v1/invoices?page_size=1&status=open" '' "${IN[@]}"
days 2
call 201 POST /api/v1/payment-methods '{"card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099}' "${IN[@]}"
LINES_SHOWN=4 call 200 POST "/api/v1/payment-methods/$(take .id)/default" '' "${IN[@]}"
LINES_SHOWN=6 call 200 GET /api/v1/subscription '' "${IN[@]}"

story "A second organisation has no trial, and three seats of the free plan"
call 201 POST /api/v1/tenants "{\"slug\": \"beta-$MARK\", \"display_name\": \"Beta\"}"
beta=$(take .id)
for seat in 2 3; do
	LINES_SHOWN=2 call 201 POST "/api/v1/tenants/$beta/invitations" "{\"email\": \"seat$seat.$MARK@example.com\", \"role\": \"member\"}"
done
call 403 POST "/api/v1/tenants/$beta/invitations" "{\"email\": \"seat4.$MARK@example.com\", \"role\": \"member\"}"
call 200 GET /api/v1/entitlements '' -H "X-Tenant-Id: $beta"

story "The first invoice as a PDF, and a part of it credited by the operator"
call 200 GET "/api/v1/invoices/$FIRST/pdf" '' "${IN[@]}"
as_user tee "$RUN/invoice.pdf" <"$WORK/body" >/dev/null
printf '    it is in %s\n' "$RUN/invoice.pdf"
operator call CreditInvoice "{\"tenant_id\": \"$TENANT\", \"invoice_id\": \"$FIRST\", \"amount\": 1000, \"reason\": \"unsatisfactory\"}" >/dev/null
SHOWN='.items[] | {number, invoice_number, reason, net, tax, total, off_due, to_balance, refunded}' \
	call 200 GET /api/v1/credit-notes '' "${IN[@]}"

story "The ledger balances"
printf '  tools/trellis ledger check\n'
operator ledger check | sed 's/^/    /'
