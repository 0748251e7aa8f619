-- What is about accounts lies under no tenant, and was shown to whoever had named
-- nothing at all. Now it is shown to a reader who names the accounts (feed_readers), and
-- to that account. A release before this one tells open streams nothing of accounts
-- until it is replaced.
drop policy reader on feed;
create policy reader on feed for select
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid
        or tenant_id = '00000000-0000-0000-0000-000000000000'
            and account_id = any ((select string_to_array(concat_ws(',',
                nullif(current_setting('trellis.account_id', true), ''),
                nullif(current_setting('trellis.feed_accounts', true), '')), ',')::uuid[])::uuid[]));
