-- Of interactive transactions.
commit
