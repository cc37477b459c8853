/**
 * Where an object of this id is found over HTTP. Layer's clients build addresses by this same rule for objects they
 * know by id alone (Layer's Client API, identifiers), so it has to hold for every object.
 */
export const addressOf = (baseUrl: string, id: string): string => baseUrl + id.slice('layer://'.length)

/** An instant as Layer's API writes it: milliseconds, UTC. */
export const iso = (ms: number): string => new Date(ms).toISOString()
