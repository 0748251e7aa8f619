select 1 / (:zero::bigint) as n
