-- caller.bind: who asks: $1 his role and $2 whose rows are his, for the policies; $3 who he is, in words; $4 the role of
-- PostgreSQL. All of it is gone with the transaction.
select set_config('tributary.role', $1, true), set_config('tributary.tenant', $2, true),
       set_config('tributary.actor', $3, true), set_config('role', $4, true)
