-- expect: one NOT_FOUND "No mail is held back from this address."
delete from suppression
where email = :email and until > :now
