import { createClient } from '@parley/client'
import { createRoot } from 'react-dom/client'
import { loadConfig } from './parley/config.ts'
import { createCredentials } from './parley/credentials.ts'
import { isOfflineChosen } from './parley/offline-choice.ts'
import { keepShell } from './parley/shell.ts'
import { App } from './screens/app.tsx'
import { ErrorBoundary } from './screens/error-boundary.tsx'
import { Splash } from './screens/splash.tsx'

const root = createRoot(document.querySelector('#root')!)

try {
  const config = await loadConfig()
  const credentials = createCredentials(config.authServiceUrl)
  const { appId, url, websocketUrl } = config
  const client = createClient({ appId, url, websocketUrl, challenge: credentials.challenge })
  if (isOfflineChosen()) client.disconnect()
  root.render(
    <ErrorBoundary>
      <App client={client} config={config} credentials={credentials} />
    </ErrorBoundary>,
  )
} catch (error) {
  console.error(error)
  root.render(<Splash text="The chat could not start. Reload the page to try again." isBusy={false} />)
}

keepShell().catch((error) => console.error('The page will not open without a network.', error))
