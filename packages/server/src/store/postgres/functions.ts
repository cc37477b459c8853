import { commitFunction } from './commit-function.ts'
import { purgeFunction } from './purge.ts'

/** What becomes of a commit of which nothing was heard. */
const settleFunction = `
  /*
   * Takes the writer's row, which waits for a commit that has come so far to end one way or the other. Then it is known:
   * either the row bears its number, or it did not happen, and by taking that number it is kept from happening later.
   */
  CREATE FUNCTION parley.settle(writer uuid, doubtful bigint, OUT moved bigint, OUT settled bigint, OUT shifted json)
  LANGUAGE plpgsql AS $$
  DECLARE
    last parley.writers;
  BEGIN
    SELECT * INTO last FROM parley.writers w WHERE w.id = writer FOR UPDATE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'Nothing is known of the writer %.', writer;
    END IF;
    IF last.batch = doubtful AND NOT last.fenced THEN
      moved := last.moved;
      settled := last.settled;
      shifted := last.shifted;
    ELSE
      UPDATE parley.writers w SET batch = doubtful, fenced = true WHERE w.id = writer AND w.batch < doubtful;
    END IF;
  END $$;`

/** Places in a conversation, found by halving: positions are dense, and what is looked for rises with them. */
const readingFunctions = `
  CREATE FUNCTION parley.first_above(of_app integer, of_conversation uuid, sequence_above bigint, last bigint)
  RETURNS bigint STABLE LANGUAGE plpgsql AS $$
  DECLARE
    low bigint := 1;
    high bigint := last + 1;
    middle bigint;
    found_sequence bigint;
  BEGIN
    WHILE low < high LOOP
      middle := (low + high) / 2;
      SELECT m.first_sequence INTO found_sequence FROM parley.messages m
        WHERE m.app = of_app AND m.conversation = of_conversation AND m.position = middle;
      IF coalesce(found_sequence, 0) <= sequence_above THEN low := middle + 1; ELSE high := middle; END IF;
    END LOOP;
    RETURN low;
  END $$;

  CREATE FUNCTION parley.first_sent_since(of_app integer, of_conversation uuid, since bigint, last bigint)
  RETURNS bigint STABLE LANGUAGE plpgsql AS $$
  DECLARE
    low bigint := 1;
    high bigint := last + 1;
    middle bigint;
    found_at bigint;
  BEGIN
    WHILE low < high LOOP
      middle := (low + high) / 2;
      SELECT m.sent_at INTO found_at FROM parley.messages m
        WHERE m.app = of_app AND m.conversation = of_conversation AND m.position = middle;
      IF coalesce(found_at, 0) < since THEN low := middle + 1; ELSE high := middle; END IF;
    END LOOP;
    RETURN low;
  END $$;`

/** Functions have no history: those of an older schema go, and those that this process calls come. */
export const functions = `
  DO $do$
  DECLARE
    old regprocedure;
  BEGIN
    FOR old IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'parley'::regnamespace LOOP
      EXECUTE 'DROP FUNCTION ' || old;
    END LOOP;
  END $do$;
  ${commitFunction}
  ${settleFunction}
  ${purgeFunction}
  ${readingFunctions}`
