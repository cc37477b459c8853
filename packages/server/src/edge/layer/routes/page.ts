import { invalidProperty, limits } from '@parley/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { accepted } from '../../http/refused-request.ts'

/** A parameter of the address, given once; undefined if it is not there. */
export function parameter(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name]
  if (value === undefined || typeof value === 'string') return value
  return accepted(invalidProperty(name, 'Give this parameter once.')) as never
}

/** How many items a page may have. Asking for more than a page holds gets a full page. */
export function pageSize(request: FastifyRequest, max: number = limits.maxPageSize): number {
  const text = parameter(request, 'page_size')
  if (text === undefined) return max
  const size = Number(text)
  if (!/^\d+$/.test(text) || size < 1) accepted(invalidProperty('page_size', 'Expected a positive whole number.'))
  return Math.min(size, max)
}

/** The last item of the page before, by id; null for the first page. */
export function fromId<T>(request: FastifyRequest, parse: (text: string) => T | undefined): T | null {
  const text = parameter(request, 'from_id')
  if (text === undefined || text === '') return null
  return parse(text) ?? (accepted(invalidProperty('from_id', 'Expected the id of an item of this list.')) as never)
}

/** A list is a bare array; how many there are in all stands in a header (Layer's Client API, pagination). */
export function sendList(reply: FastifyReply, list: { readonly total: number; readonly items: readonly unknown[] }) {
  return reply.header('layer-count', String(list.total)).send(list.items)
}
