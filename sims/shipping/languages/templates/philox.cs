private static @WORDS@ Philox(long n0, long n1, long n2, long n3, long m0, long m1)
{
    unchecked // Philox4x32-10, Salmon et al. 2011
    {
        uint c0 = (uint)n0, c1 = (uint)n1, c2 = (uint)n2, c3 = (uint)n3, k0 = (uint)m0, k1 = (uint)m1;
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53UL * c0, p1 = 0xCD9E8D57UL * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 += 0x9E3779B9U;
            k1 += 0xBB67AE85U;
        }
        return new @WORDS@(c0, c1, c2, c3);
    }
}
