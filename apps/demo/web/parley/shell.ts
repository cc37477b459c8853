/** Has the service worker keep the page itself, so that it opens without a network. */
export async function keepShell(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  await navigator.serviceWorker.register(trustedScriptUrl('/sw.js'))
}

interface TrustedTypePolicies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

/** Where the page's policy asks for trusted types, this one address is vouched for. */
function trustedScriptUrl(url: '/sw.js'): string {
  const policies = (globalThis as { trustedTypes?: TrustedTypePolicies }).trustedTypes
  return policies?.createPolicy('shell', { createScriptURL: () => url }).createScriptURL(url) ?? url
}
