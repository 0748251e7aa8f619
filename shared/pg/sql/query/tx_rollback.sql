-- Of interactive transactions.
rollback
