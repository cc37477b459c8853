import { Ticks } from './ticks.tsx'

/** Decoration beside the sign-in form. */
export function SignInPicture() {
  return (
    <div className="sign-in-picture" aria-hidden="true">
      <p className="sample theirs">
        We just went into the tunnel, no signal<small>18:02</small>
      </p>
      <p className="sample own">
        Keep writing. It will all be there when you come out.
        <small>
          18:02 <Ticks delivery="read" />
        </small>
      </p>
      <p className="sample theirs">
        And it was. Every word, in order.<small>18:19</small>
      </p>
      <p className="sign-in-promise">Conversations that are always on your device.</p>
    </div>
  )
}
