import { afterEach, beforeEach, describe } from 'vitest'
import { commitsContract } from './contract/commits.contract.ts'
import { lifeContract } from './contract/life.contract.ts'
import { rangesContract } from './contract/ranges.contract.ts'
import { termsContract } from './contract/terms.contract.ts'
import type { Replica, ReplicaStorage } from './replica.ts'

export interface StorageUnderTest {
  readonly storage: ReplicaStorage
  /** A second storage on the same device, as after a restart of the program. */
  readonly restarted: () => ReplicaStorage
  readonly dispose?: () => void | Promise<void>
}

/** What everything above the port relies on. Each adapter's own test calls this and adds what is special to it. */
export function replicaContract(create: () => StorageUnderTest | Promise<StorageUnderTest>): void {
  describe('the contract', () => {
    let device: StorageUnderTest
    let replica: Replica

    beforeEach(async () => {
      device = await create()
      replica = await device.storage.open('app')
    })

    afterEach(async () => {
      await replica.close()
      await device.dispose?.()
    })

    termsContract(
      () => replica,
      () => device,
    )
    commitsContract(() => replica)
    rangesContract(() => replica)
    lifeContract(
      () => replica,
      () => device,
    )
  })
}
