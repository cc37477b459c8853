/** What names, numbers and parts are, in what one node hears of another. */
import { isUserId, type Part, parseUuid, type UserId, type Uuid } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
export const isPositive = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0
export const isApp = (value: unknown): value is AppKey => isPositive(value)
export const isUser = (value: unknown): value is UserId => typeof value === 'string' && isUserId(value)
/** As ids are written here: in lower case. */
export const isUuid = (value: unknown): value is Uuid => typeof value === 'string' && parseUuid(value) === value
export const isNodeName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 128

/** A value of JSON that was found to be an object. Members that are not asked for may be anything. */
export type Members = Record<string, unknown>
export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string'

export const isParts = (value: unknown): value is Part[] => Array.isArray(value) && value.every(isPart)
const isPart = (part: unknown) =>
  isObject(part) &&
  typeof part.mime_type === 'string' &&
  typeof part.body === 'string' &&
  (part.encoding === undefined || part.encoding === 'base64')
