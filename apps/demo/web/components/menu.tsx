import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react'
import { Icon, type IconName } from './icon.tsx'

export interface MenuItem {
  readonly label: string
  readonly icon: IconName
  readonly onSelect: () => void
  readonly isDangerous?: boolean
  /** A line above it. */
  readonly startsSection?: boolean
}

interface MenuProps {
  readonly label: string
  readonly items: readonly MenuItem[]
  readonly tabIndex?: number
}

const EDGE_PX = 8

/** A button that opens a list of choices: arrows move, Enter chooses, Escape closes and returns. */
export function Menu({ label, items, tabIndex }: MenuProps) {
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()

  useLayoutEffect(() => {
    if (!isOpen || !list.current || !button.current) return
    list.current.showPopover()
    place(list.current, button.current.getBoundingClientRect())
    list.current.querySelector('button')?.focus()
  }, [isOpen])

  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  const choose = (item: MenuItem) => {
    close()
    item.onSelect()
  }

  return (
    <>
      <button
        ref={button}
        type="button"
        className="icon-button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        tabIndex={tabIndex}
        data-menu-button
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div
          ref={list}
          id={id}
          className="menu"
          role="menu"
          aria-label={label}
          popover="auto"
          tabIndex={-1}
          onToggle={(event) => event.newState === 'closed' && setOpen(false)}
          onKeyDown={(event) => walk(event, close)}
        >
          {items.map((item) => (
            <div key={item.label} role="none">
              {item.startsSection && <hr className="menu-rule" />}
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                className={item.isDangerous ? 'menu-item danger' : 'menu-item'}
                onClick={() => choose(item)}
              >
                <Icon name={item.icon} size={18} />
                {item.label}
              </button>
            </div>
          ))}
        </div>
      )}
    </>
  )
}

/** Below the button, or above it where there is more room; always inside the window. */
function place(menu: HTMLElement, anchor: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = menu
  const below = anchor.bottom + 4
  const top = below + height > innerHeight - EDGE_PX ? anchor.top - height - 4 : below
  const left = Math.min(anchor.right - width, innerWidth - width - EDGE_PX)
  menu.style.top = `${Math.max(EDGE_PX, top)}px`
  menu.style.left = `${Math.max(EDGE_PX, left)}px`
}

function walk(event: KeyboardEvent<HTMLElement>, close: () => void): void {
  event.stopPropagation()
  if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault()
    close()
    return
  }
  const buttons = [...event.currentTarget.querySelectorAll('button')]
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
  if (next === undefined) return
  event.preventDefault()
  buttons.at(next % buttons.length)?.focus()
}
