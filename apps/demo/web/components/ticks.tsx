import type { Delivery } from '../model/chat.ts'

const labels: Record<Delivery, string> = {
  pending: 'Waiting to be sent',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
}

const shapes: Record<Delivery, string> = {
  pending: 'M8 4.2v4l2.6 1.600M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z',
  sent: 'M3 8.500l3.2 3.200L13 4.8',
  delivered: 'M1 8.500l3.2 3.200L11 4.800M8.2 11.7 15 4.8',
  read: 'M1 8.500l3.2 3.200L11 4.800M8.2 11.7 15 4.8',
  failed: 'M8 4.500v4.300M8 11.400h.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z',
}

/** How far a message of one's own got. */
export function Ticks({ delivery, detail }: { delivery: Delivery; detail?: string }) {
  const label = detail ?? labels[delivery]
  return (
    <span className="ticks" data-delivery={delivery} title={label}>
      <svg width="16" height="16" viewBox="0 0 16 16" fill="none" role="img" aria-label={label}>
        <path
          d={shapes[delivery]}
          stroke="currentColor"
          strokeWidth="1.6"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
    </span>
  )
}
