-- settle.lose: hits of a journal that was damaged, or torn by a power cut before they were answered.
insert into losses (edge_id, first_seq, hits) values ($1, $2, $3)
