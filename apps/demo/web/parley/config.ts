/** Where everything is; served beside the page, and kept with it for the times without a network. */
export interface Config {
  readonly appId: string
  readonly url: string
  readonly websocketUrl: string
  readonly authServiceUrl: string
}

export async function loadConfig(): Promise<Config> {
  const response = await fetch('/config.json')
  if (!response.ok) throw new Error(`The configuration could not be read (${response.status}).`)
  return (await response.json()) as Config
}
