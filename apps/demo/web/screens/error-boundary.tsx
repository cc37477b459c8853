import { Component, type ReactNode } from 'react'
import { Splash } from './splash.tsx'

/** A fault in drawing the page must not leave it blank. What was written is safe: it lies in the client's outbox. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override readonly state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children
    return <Splash text="Something broke on this page. Reload it; nothing you wrote is lost." isBusy={false} />
  }
}
