-- The ledger: every decision to call a number or not to, in a chain of hashes for each organisation. What is hashed how:
-- src/domain/ledger.h.

-- Written in the transaction that decides; moved into the ledger a moment later.
CREATE TABLE IF NOT EXISTS ledger_drafts (
  organization_id BIGINT UNSIGNED NOT NULL,
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  decisions MEDIUMBLOB NOT NULL,            -- lines
  PRIMARY KEY (organization_id, id),
  KEY id (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The blocks of the chains. Rows are added, and go when they are old enough; of persons who are erased the salt and the
-- number go, and their hash stays.
CREATE TABLE IF NOT EXISTS ledger (
  organization_id BIGINT UNSIGNED NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,             -- from 1 on, without gaps
  sealed_at DATETIME(6) NOT NULL,
  hash CHAR(64) CHARACTER SET ascii NOT NULL,
  decisions MEDIUMBLOB NOT NULL,            -- lines
  PRIMARY KEY (organization_id, seq),
  KEY sealed (organization_id, sealed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Where the decisions about a number are: the block, and the byte at which the line begins.
CREATE TABLE IF NOT EXISTS ledger_numbers (
  organization_id BIGINT UNSIGNED NOT NULL,
  phone_number VARCHAR(16) CHARACTER SET ascii NOT NULL, -- '': it concerns no single number
  decided_at DATETIME(6) NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,
  place INT UNSIGNED NOT NULL,
  PRIMARY KEY (organization_id, phone_number, decided_at, seq, place)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Where each chain ends, which is the lock for adding to it, and where it begins.
CREATE TABLE IF NOT EXISTS ledger_heads (
  organization_id BIGINT UNSIGNED NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,             -- 0: nothing is sealed yet
  hash CHAR(64) CHARACTER SET ascii NOT NULL,
  sealed_at DATETIME(6) NOT NULL,
  first_seq BIGINT UNSIGNED NOT NULL,       -- the first block that is kept
  first_prev CHAR(64) CHARACTER SET ascii NOT NULL, -- the hash of the block before it
  PRIMARY KEY (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The versions of the do-not-call lists: the latest change of an organisation's is the version of its list.
CREATE TABLE IF NOT EXISTS do_not_call_changes (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  organization_id BIGINT UNSIGNED NOT NULL,
  changed_at DATETIME(6) NOT NULL,
  numbers INT NOT NULL,                     -- how many came; negative: went
  PRIMARY KEY (id),
  KEY organization (organization_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
