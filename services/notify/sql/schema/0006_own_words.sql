-- Whether an organisation may have words of its own for a kind. What is sent on no
-- organisation's behalf is always in the built-in ones: own ones would be kept and never
-- seen.
alter table kind_directory add column own_words boolean not null default true;
update kind_directory set own_words = false
where kind in ('account_verify', 'password_reset', 'password_changed', 'session_created', 'digest');
