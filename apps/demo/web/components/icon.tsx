const paths = {
  add: 'M10 4v12M4 10h12',
  back: 'M12.5 4 6.5 10l6 6',
  close: 'M5 5l10 10M15 5 5 15',
  copy: 'M7 7V4.5h8.5V13H13M4.5 7H13v8.500H4.500Z',
  down: 'M5 8l5 5 5-5',
  edit: 'M4 16h3.200L16 7.2 12.8 4 4 12.800Z',
  leave: 'M8 4H4.500v12H8M12 6.5 15.5 10 12 13.500M15.5 10H8',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  people:
    'M7.5 9.500a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.500ZM2.5 16c0-2.8 2.2-4.5 5-4.500s5 1.7 5 4.500M13 4.300a2.75 2.75 0 0 1 0 5M14.5 11.900c1.8.5 3 2 3 4.1',
  search: 'M8.75 14.500a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.500ZM13 13l4 4',
  send: 'M10 16V4.500M5 9l5-5 5 5',
  signOut: 'M8 4H4.500v12H8M12 6.5 15.5 10 12 13.500M15.5 10H8',
  trash: 'M4 5.500h12M8 5.500V3.500h4v2M5.5 5.500l.7 11h7.600l.7-11M8.5 9v4.500M11.5 9v4.5',
  offline: 'M3 7.500a10.5 10.5 0 0 1 14 0M5.7 10.700a6.5 6.5 0 0 1 8.6 0M10 15h.01M3.5 3.500l13 13',
} as const

export type IconName = keyof typeof paths

/** A line drawing; always beside a text or inside a labelled control, so hidden from readers of the screen. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  const width = name === 'more' ? 2.6 : 1.7
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden="true">
      <path d={paths[name]} stroke="currentColor" strokeWidth={width} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}
