/** Opening, closing, going away: what is still there afterwards, and who is told. */
import { describe, expect, it } from 'vitest'
import type { StorageUnderTest } from '../replica.contract.ts'
import type { LossReason, Replica } from '../replica.ts'
import { commit, oneOfEach, put } from './rows.contract.ts'

export function lifeContract(replica: () => Replica, device: () => StorageUnderTest): void {
  describe('life', () => {
    it('AUTH-36 closing and opening again finds everything', async () => {
      await commit(replica(), ...oneOfEach)
      await replica().close()
      const again = await device().restarted().open('app')
      for (const write of oneOfEach) expect(await again.scan(write.table)).toMatchObject([write.row])
      await again.close()
    })

    it('apps do not see each other', async () => {
      const others = await Promise.all(
        ['app2', 'APP', '../app', 'layer:///apps/x/1'].map((id) => device().storage.open(id)),
      )
      await commit(replica(), put('meta', { name: 'm', value: 1 }))
      for (const other of others) {
        expect(await other.scan('meta')).toEqual([])
        await other.close()
      }
    })

    it('two handles of one app see the same rows', async () => {
      const other = await device().storage.open('app')
      await commit(replica(), put('meta', { name: 'm', value: 1 }))
      expect(await other.get('meta', ['m'])).toEqual({ name: 'm', value: 1 })
      await other.close()
      expect(await replica().get('meta', ['m'])).toEqual({ name: 'm', value: 1 })
    })

    it('closing twice is fine, and whatever comes afterwards is told so', async () => {
      await replica().close()
      await replica().close()
      const closed = { name: 'ReplicaError', code: 'closed' }
      await expect(replica().get('meta', ['m'])).rejects.toMatchObject(closed)
      await expect(replica().getMany('meta', [['m']])).rejects.toMatchObject(closed)
      await expect(replica().scan('meta')).rejects.toMatchObject(closed)
      await expect(replica().count('meta')).rejects.toMatchObject(closed)
      await expect(commit(replica(), put('meta', { name: 'm', value: 1 }))).rejects.toMatchObject(closed)
    })

    it('AUTH-14 destroying leaves nothing, and leaves other apps alone', async () => {
      const other = await device().storage.open('other')
      await other.commit([put('meta', { name: 'm', value: 1 })], { durability: 'strict' })
      await commit(replica(), ...oneOfEach)
      await replica().close()
      await device().storage.destroy('app')
      const again = await device().restarted().open('app')
      for (const write of oneOfEach) expect(await again.scan(write.table)).toEqual([])
      await again.close()
      expect(await other.count('meta')).toBe(1)
      await other.close()
    })

    it('destroying closes open handles and tells each of them once', async () => {
      const reasons: LossReason[] = []
      const handle = await device().storage.open('lost', { onLost: (reason) => reasons.push(reason) })
      await device().storage.destroy('lost')
      expect(reasons).toEqual(['deleted'])
      await expect(handle.scan('meta')).rejects.toMatchObject({ code: 'closed' })
      await handle.close()
      await device().storage.destroy('lost')
      expect(reasons).toEqual(['deleted'])
    })

    it('closing by oneself is no loss', async () => {
      const reasons: LossReason[] = []
      const handle = await device().storage.open('kept', { onLost: (reason) => reasons.push(reason) })
      await handle.close()
      await device().storage.destroy('kept')
      expect(reasons).toEqual([])
    })

    it('destroying what never was is fine', async () => {
      await device().storage.destroy('never')
    })
  })
}
