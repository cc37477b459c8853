const KEY = 'parley-demo.offline'

/** Whether the offline switch stands on offline; survives a reload, as a real lack of network would. */
export function isOfflineChosen(): boolean {
  return localStorage.getItem(KEY) === 'yes'
}

export function chooseOffline(isOffline: boolean): void {
  if (isOffline) localStorage.setItem(KEY, 'yes')
  else localStorage.removeItem(KEY)
}
