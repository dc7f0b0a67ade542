-- caller.begin: who asks is said for one transaction.
begin
