/** What goes into the page: the SDK as published, and its world. */
import layer from 'layer-websdk'
import { createWorld, type SdkWorld, type WorldOptions } from './sdk-world.ts'

declare global {
  interface Window {
    startSdk(options: WorldOptions): void
    identityTokenFor(nonce: string): Promise<string>
    sdk: SdkWorld
  }
}

window.startSdk = (options) => {
  window.sdk = createWorld(layer, options, (nonce) => window.identityTokenFor(nonce))
}
