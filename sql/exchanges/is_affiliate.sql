-- exchanges.is_affiliate: whether an affiliate has to do with a program.
select is_affiliate_of($1, $2)
