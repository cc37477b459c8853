/** What the minimal server and its load sign tokens with. */
export const TOKEN_SECRET = 'a secret of the benchmark, for nothing else'
