-- Names the accounts whose own entries this transaction may read (policy reader).
select set_config('trellis.feed_accounts', array_to_string(:account_ids::uuid[], ','), true) is null as done
