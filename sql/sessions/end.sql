-- sessions.end: signed out; the cookie is worth nothing from now on.
delete from sessions where hash = $1
