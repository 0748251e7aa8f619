-- Of interactive transactions.
begin
