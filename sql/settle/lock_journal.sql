-- settle.lock_journal: waits until no other transaction claims frames of this journal, and keeps them out: what
-- a gap covers may be in their hands.
select from edges where edge_id = $1 for update
