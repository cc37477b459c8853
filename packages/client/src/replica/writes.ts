import type { Json } from '@parley/protocol'
import type { Key, TableName, Tables, Write } from './replica.ts'

export function put<T extends TableName>(table: T, row: Tables[T]): Write {
  // The cast is what a union over the tables costs.
  return { type: 'put', table, row } as Write
}

/** A single value of the device. */
export const putMeta = (name: string, value: Json): Write => put('meta', { name, value })

export const remove = (table: TableName, key: Key): Write => ({ type: 'delete', table, key })

/** Every row whose key begins with these parts; without any, the whole table. */
export const removeAll = (table: TableName, ...prefix: Key): Write => ({ type: 'delete-all', table, prefix })
