-- sign_ins.give_back: it did not fail.
update sign_in_budgets set failures = greatest(failures - 1, 0), until = 'epoch' where bucket = any ($1)
